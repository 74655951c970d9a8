"""What rules would have said over stored tracks: planned, replayed by the rules, told."""
