"""installation.yaml: read and checked, with every problem by its line."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from app.configuration.problems import Problem, message_of, sentence
from app.configuration.yaml_text import YamlProblem, read_yaml
from schemas.configuration import InstallationConfig

INSTALLATION = "installation.yaml"


class InstallationInvalid(ValueError):
    """The installation's document cannot be used. The text has a line per problem."""

    code = "INSTALLATION_INVALID"


@dataclass(slots=True, frozen=True)
class InstallationFile:
    """`folder`: what the paths in the document begin at. Without a document: the defaults, from here."""

    content: InstallationConfig = field(default_factory=InstallationConfig)
    folder: Path = Path()

    @property
    def client_config(self) -> Path | None:
        """File with the settings of clients; None: the document names none."""
        stated = self.content.kafka.client_config
        return self.folder / stated if stated else None

    def plants(self) -> dict[str, Path]:
        """Plant -> folder of its configuration."""
        return {name: self.folder / plant.configuration for name, plant in self.content.plants.items()}


def load_installation(file: Path) -> InstallationFile:
    """Raises InstallationInvalid with every problem that was found."""
    try:
        document = read_yaml(file.read_bytes())
    except OSError as wrong:
        raise InstallationInvalid(f"{file} cannot be read: {wrong.strerror or wrong}") from None
    except YamlProblem as wrong:
        raise InstallationInvalid(str(Problem(file.name, wrong.line, wrong.message))) from None
    try:
        content = InstallationConfig.model_validate(document.content)
    except ValidationError as wrong:
        problems = set()
        for error in wrong.errors():
            found, line = document.place(error["loc"])
            problems.add(Problem(file.name, line, sentence(found, message_of(error, InstallationConfig))))
        raise InstallationInvalid("\n".join(str(problem) for problem in sorted(problems))) from None
    return InstallationFile(content, file.parent)
