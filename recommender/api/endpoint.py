"""What every address has in common: checked parameters, and pages of bounded size."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
# A page's number is multiplied by its size; a bigint holds the product.
MAX_PAGE = 10_000_000


class Query(serializers.Serializer[Any]):
    """The parameters that an address takes; any other is an error, so no typing mistake passes."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields]
        if unknown:
            message = f"There is no such parameter here. These are: {', '.join(self.fields)}."
            if not self.fields:
                message = "This address takes no parameters."
            raise serializers.ValidationError({name: [message] for name in unknown}, code="unknown")
        return super().to_internal_value(data)


class PageQuery(Query):
    page = serializers.IntegerField(
        min_value=1, max_value=MAX_PAGE, default=1, help_text="Which page, from 1."
    )
    page_size = serializers.IntegerField(
        min_value=1, max_value=MAX_PAGE_SIZE, default=PAGE_SIZE, help_text="Results on a page."
    )


class Pages(PageNumberPagination):
    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE


class Endpoint(GenericAPIView[Any]):
    """One address. `query_class` says which parameters its GET takes; the rest take none."""

    query_class: type[Query] = Query
    pagination_class = None
    query: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        query_class = self.query_class if request.method in ("GET", "HEAD") else Query
        asked = request.query_params
        self.query = _checked(query_class, asked) if asked else dict(_defaults(query_class))


def _checked(query_class: type[Query], asked: Mapping[str, Any]) -> dict[str, Any]:
    validated: dict[str, Any] = _checker(query_class).run_validation(asked)
    return validated


@cache
def _checker(query_class: type[Query]) -> Query:
    """One for all requests: it holds nothing of any, and copying its fields takes long."""
    return query_class()


@cache
def _defaults(query_class: type[Query]) -> dict[str, Any]:
    return _checked(query_class, {})


class PagedEndpoint(ListModelMixin, Endpoint):
    """One address whose GET answers with a page of `get_queryset()`."""

    query_class = PageQuery
    pagination_class = Pages
