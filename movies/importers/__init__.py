"""Importers of catalogues, and what every importer needs: files, downloads, progress."""
