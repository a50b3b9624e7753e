"""Master data that a run pulled from its ERP: the same when the run goes on."""

from pathlib import Path
from typing import Any

import pytest

from app.run.pulled import PULLED, with_pulled
from app.run.resume import RunDiffers
from schemas.configuration import PlantConfig
from schemas.configuration.erp_source import ERP_SOURCE

PLANT = PlantConfig.model_validate({"plant": {"id": "P"}, "master_data": {"orders": "erp"}, "sources": {}})


def test_a_run_that_goes_on_asks_nobody_again(tmp_path: Path) -> None:
    """By then the ERP has released and closed others."""
    nobody: Any = None
    with pytest.raises(RunDiffers, match=f"{PULLED}.* is gone"):
        with_pulled([], PLANT, nobody, tmp_path, b"", again=True)
    (tmp_path / PULLED).touch()
    (file,) = with_pulled([], PLANT, nobody, tmp_path, b"", again=True)
    assert (file.source, file.path) == (ERP_SOURCE, tmp_path / PULLED)
