"""Plants one defect in every process of a test (LINELEDGER_TEST_PLANTED = JSON [module, old, new]); tests/mutants/composition.py
puts this folder on their PYTHONPATH. What stands in no file of the product cannot be shipped with it."""

import json
import os
import sys
from pathlib import Path

if planted := os.environ.get("LINELEDGER_TEST_PLANTED"):
    sys.path.insert(0, str(Path(__file__).parents[3]))
    from tests.mutants.planting import PlantedFinder

    sys.meta_path.insert(0, PlantedFinder(*json.loads(planted)))
