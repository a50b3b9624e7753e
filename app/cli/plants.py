"""The plants of an installation's document, each under its own name."""

from app.cli.failures import fail
from app.configuration import InstallationFile, load
from schemas.configuration import Configuration


def plants_of(document: InstallationFile) -> list[Configuration]:
    """In the order of the document. Ends the command where one is another plant. Raises ConfigError."""
    configurations = []
    for name, folder in document.plants().items():
        configuration = load(folder)
        if name != configuration.plant.plant.id:
            fail("INSTALLATION_INVALID", f"plants.{name}: {folder} is plant {configuration.plant.plant.id}")
        configurations.append(configuration)
    return configurations
