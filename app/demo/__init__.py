"""The demo plant: a seeded shop floor with known truth, its configuration, and two recordings of real mills."""
