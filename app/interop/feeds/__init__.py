"""Feeds: what each sender's codes, words and headings mean, as configuration."""

from app.interop.feeds.apply import map_received
from app.interop.feeds.feed import TARGETS, Feed, FeedProblems, Feeds, read_feed

__all__ = ["TARGETS", "Feed", "FeedProblems", "Feeds", "map_received", "read_feed"]
