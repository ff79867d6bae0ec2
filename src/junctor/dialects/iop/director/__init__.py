"""The director: productions started, stopped and asked, and business services called from outside."""
