"""The words of the domain: numbers, codes, and how a document is read."""
