"""WebRTC in the process that holds a camera: who publishes to it (WHIP), who watches it (WHEP)."""
