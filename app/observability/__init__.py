"""What a process tells about itself: metrics, readiness, logs."""
