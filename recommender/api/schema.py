"""How the OpenAPI schema is drawn from the code."""

from typing import Any

from drf_standardized_errors.openapi import AutoSchema as StandardizedAutoSchema


class AutoSchema(StandardizedAutoSchema):
    """Adds the checked query parameters of an endpoint's GET."""

    def get_override_parameters(self) -> list[Any]:
        takes_any = self.method == "GET" and self.view.query_class().fields
        return [self.view.query_class] if takes_any else []

    def get_summary(self) -> str:
        """The docstring's first paragraph: what stands in the list of addresses."""
        first, _, _ = super().get_description().partition("\n\n")
        return " ".join(first.split()).rstrip(".")

    def get_description(self) -> str:
        """The rest of the docstring."""
        _, _, rest = super().get_description().partition("\n\n")
        return str(rest)

    def get_tags(self) -> list[str]:
        """Group the addresses by their first word after the version."""
        return [self.path.split("/")[3]]
