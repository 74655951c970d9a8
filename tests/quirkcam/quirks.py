"""What a camera can do wrong, each as one switch.

Times count from the PLAY answer of a connection, in seconds of stream time. Where the standard
is broken, the words in brackets name who was seen to do so.
"""

from dataclasses import dataclass
from typing import Literal

RtpInfo = Literal["true", "lies", "unreadable", "semicolon", "none"]
SsrcField = Literal["true", "spaces", "misplaced", "wrong", "none"]
KeepAlive = Literal["any", "options", "refused_454"]
Audio = Literal["none", "pcmu", "pcma", "aac"]
Scheme = Literal["basic", "digest", "digest-sha256", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """Every switch off is a camera that keeps to the standards.

    Attributes of the handshake:
        is_silent: Accepts connections and never answers.
        drip_every_s: Answers one byte at a time, so slowly.
        floods_headers: Answers with header lines that never end.
        redirect_to: Answers DESCRIBE with 302 to this URL.
        has_content_type: Whether the answer to DESCRIBE names its type.
        content_base: Of the answer to DESCRIBE: true, without scheme, or left out.
        control_first: ``a=control`` stands before all other attributes of the media.
        odd_media: A media section that nobody can parse comes first (TP-Link).
        has_origin: Whether the SDP has ``o=``.
        sdp: Sent instead of an SDP of its own.
        trailing_spaces: After rtpmap, fmtp and header lines.
        session_changes: Each SETUP and PLAY names another session.
        ssrc: Of the Transport answer.
        rtp_info: Of the PLAY answer.
        max_sessions: More than these at once are refused with 453; 0 is no limit.
        session_timeout_s: Said in the Session header.
        ends_idle: Cuts sessions that are not kept alive within their time-out.
        keep_alive: ``refused_454`` answers GET_PARAMETER with 454 (thingino) and ``options`` with
            501; neither then counts as a sign of life, OPTIONS does.
        rtcp_keeps_alive: Receiver reports count as well (live555).
        nonce_lasts: So many requests, then the digest nonce is stale.
        answers_teardown: Whether TEARDOWN is answered.
        refuses_udp, refuses_tcp: SETUP for it is answered with 461.

    Attributes of the transport:
        garbage_every_s: Breaks off within a packet and goes on after some garbage (live555).
        unassigned_every: Sends a packet on a channel that nobody set up, every so many packets.
        early_rtp: So many packets leave before the answer to PLAY.
        ghost_every: Sends a packet of another session (another SSRC), every so many packets.
        is_udp_blocked: SETUP for UDP succeeds, and nothing ever comes.
        wrong_port: UDP leaves from another port than was said.
        loss, duplicated, reordered: Shares of RTP packets (UDP only).
        has_reports: Whether RTCP sender reports are sent (some Hikvision firmwares send none).
        reports_unknown_ssrc: They name an SSRC that nobody has heard of.
        drop_after_s: Cuts the connection.
        stall_after_s: Sends nothing more, and keeps the connection.
        drip_stream_bps: Sends no faster than so many bits a second.

    Attributes of the bit stream:
        has_sets_in_sdp: Whether SPS and PPS (and VPS) stand in the SDP.
        has_sets_in_band: Whether they come with each key frame.
        sets_trailing: Zero bytes behind each SPS (Reolink).
        annex_b: Start codes within RTP (V380).
        fu_type_changes: Fragments of one NAL unit say different types (Tiandy).
        empty_fragments: Fragments without content lie between.
        marker_on_sei: An SEI with the marker bit splits the picture.
        bit_flips: Share of flipped bits in the payload.
        join_at: First unit sent; not a key frame when in the midst of a group.
        audio: A second media section and its packets.
        audio_stalls_after_s: From then on only the picture goes on.

    Attributes of time:
        first_timestamp: RTP timestamp of the first picture of every connection.
        first_sequence: RTP sequence number of its first packet.
        jump_at_s, jump_s: At that time timestamps jump by so much, once.
        ppm: The camera's clock runs so much too fast.
        clock_step_at_s, clock_step_s: The wall clock in its reports is set, once.
        said_fps: Of the SDP; None says nothing.
        burst_s: Sends nothing for so long, then all of it at once, again and again.
        burst_after_s: The first such pause begins here.
    """

    is_silent: bool = False
    drip_every_s: float | None = None
    floods_headers: bool = False
    redirect_to: str = ""
    has_content_type: bool = True
    content_base: Literal["true", "no_scheme", "none"] = "true"
    control_first: bool = False
    odd_media: bool = False
    has_origin: bool = True
    sdp: str = ""
    trailing_spaces: bool = False
    session_changes: bool = False
    ssrc: SsrcField = "none"
    rtp_info: RtpInfo = "true"
    max_sessions: int = 0
    session_timeout_s: int = 60
    ends_idle: bool = False
    keep_alive: KeepAlive = "any"
    rtcp_keeps_alive: bool = True
    nonce_lasts: int = 0
    answers_teardown: bool = True
    refuses_udp: bool = False
    refuses_tcp: bool = False

    garbage_every_s: float | None = None
    unassigned_every: int = 0
    early_rtp: int = 0
    ghost_every: int = 0
    is_udp_blocked: bool = False
    wrong_port: bool = False
    loss: float = 0.0
    duplicated: float = 0.0
    reordered: float = 0.0
    has_reports: bool = True
    reports_unknown_ssrc: bool = False
    drop_after_s: float | None = None
    stall_after_s: float | None = None
    drip_stream_bps: float | None = None

    has_sets_in_sdp: bool = True
    has_sets_in_band: bool = True
    sets_trailing: int = 0
    annex_b: bool = False
    fu_type_changes: bool = False
    empty_fragments: bool = False
    marker_on_sei: bool = False
    bit_flips: float = 0.0
    join_at: int = 0
    audio: Audio = "none"
    audio_stalls_after_s: float | None = None

    first_timestamp: int = 1_000_000
    first_sequence: int = 4_711
    jump_at_s: float | None = None
    jump_s: float = 0.0
    ppm: float = 0.0
    clock_step_at_s: float | None = None
    clock_step_s: float = 0.0
    said_fps: float | None = None
    burst_s: float = 0.0
    burst_after_s: float = 1.0


STANDARD = Quirks()
