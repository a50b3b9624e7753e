"""Speed on a real Kafka, against plain Faust in the same run: `make bench`."""
