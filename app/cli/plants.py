"""The plants of an installation's document, each under its own name, and with an ERP that the document has."""

from collections.abc import Collection, Sequence

from app.cli.failures import fail
from app.configuration import InstallationFile, load
from schemas.configuration import Configuration
from tables.delivery.posting_state import ENDPOINT_UNKNOWN


def plants_of(document: InstallationFile) -> list[Configuration]:
    """In the order of the document. Ends the command where one is another plant. Raises ConfigError."""
    configurations = []
    for name, folder in document.plants().items():
        configuration = load(folder)
        if name != configuration.plant.plant.id:
            fail("INSTALLATION_INVALID", f"plants.{name}: {folder} is plant {configuration.plant.plant.id}")
        configurations.append(configuration)
    return configurations


def without_endpoint(plants: Sequence[Configuration], endpoints: Collection[str]) -> list[str]:
    """A sentence for each plant that names none of `endpoints`: its postings would wait."""
    found = []
    for plant in plants:
        erp = plant.erp.erp
        if erp.entry is not None and erp.endpoint not in endpoints:
            there = ", ".join(sorted(endpoints))
            detail = f"plant {plant.plant.plant.id} names the endpoint `{erp.endpoint}`, the installation has {there}"
            found.append(f"{ENDPOINT_UNKNOWN}: {detail}; its postings would wait")
    return found
