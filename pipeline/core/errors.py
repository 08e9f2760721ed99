"""The error that stages show to the person who started them."""

from dimmer.errors import DimmerError as DimmerError
