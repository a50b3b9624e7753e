"""One equipment: counters, runs, people and states, and whose each piece is."""
