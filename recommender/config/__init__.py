"""How the site is put together: settings, URLs, entry points and the embedded servers."""
