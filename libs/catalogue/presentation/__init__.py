"""What the catalogue shows: views for programs, the 办事指南 page for people."""

from libs.catalogue.presentation.guide import guide_page
from libs.catalogue.presentation.views import (
    EditionView,
    ItemSummary,
    ItemView,
    ServiceItems,
    item_summary,
    item_view,
    service_item,
    service_items,
)

__all__ = [
    "EditionView",
    "ItemSummary",
    "ItemView",
    "ServiceItems",
    "guide_page",
    "item_summary",
    "item_view",
    "service_item",
    "service_items",
]
