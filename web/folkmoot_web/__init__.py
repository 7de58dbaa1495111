"""What every web site of Folkmoot needs, whichever product serves it.

A product gives `folkmoot_web.site.build_site` its settings, its routes and its permissions.
"""
