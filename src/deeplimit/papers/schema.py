"""The tables of a library's file."""

from __future__ import annotations

__all__ = ["APPLICATION", "SCHEMA", "VERSION"]

#: By which the file is known ("DLpp"), and the version of its tables.
APPLICATION, VERSION = 0x444C7070, 1

SCHEMA = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE page (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " digest TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, shown_date TEXT, year INTEGER,"
    " year_from TEXT, read_at TEXT NOT NULL) STRICT",
    # Ids are never used again: a rating or a mail may speak of one for years.
    "CREATE TABLE paper (id INTEGER PRIMARY KEY AUTOINCREMENT, first_read TEXT NOT NULL) STRICT",
    "CREATE TABLE listing (page INTEGER NOT NULL REFERENCES page, place INTEGER NOT NULL,"
    " paper INTEGER NOT NULL REFERENCES paper, key TEXT NOT NULL, title TEXT NOT NULL,"
    " abstract TEXT, authors TEXT NOT NULL, n_authors INTEGER, date TEXT, year_from TEXT,"
    " comments INTEGER, code TEXT, arxiv_id TEXT, doi TEXT, address TEXT,"
    " PRIMARY KEY (page, place)) STRICT",
    "CREATE INDEX listing_key ON listing (key)",
    "CREATE INDEX listing_arxiv ON listing (arxiv_id)",
    "CREATE INDEX listing_doi ON listing (doi)",
    "CREATE INDEX listing_paper ON listing (paper)",
    "CREATE TABLE rating (place INTEGER PRIMARY KEY AUTOINCREMENT,"
    " paper INTEGER NOT NULL UNIQUE REFERENCES paper, liked INTEGER NOT NULL) STRICT",
    # What each rating replaced, so that it can be taken back.
    "CREATE TABLE click (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " paper INTEGER NOT NULL REFERENCES paper, before INTEGER) STRICT",
    "CREATE TABLE issue (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"
    " day TEXT NOT NULL, made_at TEXT NOT NULL) STRICT",
    # Each paper once in editions and once in mails.
    "CREATE TABLE printed (issue INTEGER NOT NULL REFERENCES issue, kind TEXT NOT NULL,"
    " place INTEGER NOT NULL, paper INTEGER NOT NULL REFERENCES paper, entry TEXT NOT NULL,"
    " PRIMARY KEY (issue, place), UNIQUE (kind, paper)) STRICT",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)
