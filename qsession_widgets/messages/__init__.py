"""English sentences of the package, as pure functions of codes and facts.

``service_errors`` explains the codes that IBM answers with and lists common mistakes.
"""
