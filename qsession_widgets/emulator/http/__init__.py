"""The emulator's REST API: translation between HTTP and the core, and nothing else.

``app`` puts the routes together, ``middleware`` limits sizes, adds dates and trace ids and applies
faults, ``auth`` checks keys and tokens. ``request_models`` are the bodies, ``response_models`` the
answers, ``serializers`` turn records into what the service shows, ``validation`` checks the names
in a job's parameters. ``routes`` has a module for each resource; `routes.iam` plays the parts of
IBM Cloud that the client asks before it asks the service, `routes.control` is the emulator's own.
``openapi`` describes the API, ``coverage`` says how much of IBM's is here.
"""
