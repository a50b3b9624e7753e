"""`python -m app.erp.simulator`: the same command as `lineledger erp-sim`."""

import typer

from app.cli.erp_sim import erp_sim

if __name__ == "__main__":
    typer.run(erp_sim)
