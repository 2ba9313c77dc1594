"""The paper's own matters: its printed numbers, the ledger of its claims, differences, tables, and the book's pages."""
