"""call-router's own copy of bindings, numbers and tenants, and its memory of recent calls. All of it in memory."""
