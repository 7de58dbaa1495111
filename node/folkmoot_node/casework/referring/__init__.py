"""The room of referrals as pages, commands and the site open it."""
