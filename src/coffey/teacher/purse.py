"""What asking is paid from: a price, a limit, and the log that every batch is noted in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coffey.core.settings import Settings
from coffey.teacher.budget import Price
from coffey.teacher.spending import SPENDING, SpendingLog

if TYPE_CHECKING:
    from coffey.teacher.store import LabelStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """The money side of one asking; an empty one counts no USD, stops nowhere and notes nothing."""

    price: Price | None = None
    """What asking costs."""
    limit_usd: float | None = None
    """The most that this asking may cost; needs `price`."""
    spending: SpendingLog | None = None
    """Where every batch is noted, also when this asking is cut off."""

    @classmethod
    def from_settings(
        cls, settings: Settings, store: LabelStore, purpose: str, *, spent_usd: float = 0.0
    ) -> Purse:
        """What `teacher.cost` and `budget.max_usd` say, less what was spent; noted in the store's own log.

        `purpose` is the word that the spending is noted under; see `SpendingLog`.

        Raises:
            ConfigError: the price cannot be understood; see `Price.from_settings`.
        """
        price = Price.from_settings(settings.teacher.cost)
        limit = settings.budget.max_usd - spent_usd if price else None
        return cls(price=price, limit_usd=limit, spending=SpendingLog(store.folder / SPENDING, purpose))
