"""Stage lots: holds, genealogy and judgements become lot states."""
