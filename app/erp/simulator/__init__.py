"""An ERP of our own for demos, load and fault tests: a process with a durable store that misbehaves on demand."""
