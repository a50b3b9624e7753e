"""The console: pages over the books, to look instead of grep. It reads; the pipeline is the only writer."""
