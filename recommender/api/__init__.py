"""The interface for programs, at `/api/v1/`.

access      who may ask, and how often
endpoint    what every address has in common: checked parameters, bounded pages
problems    what an answer looks like when something is wrong
token       how a program signs in
catalogue   movies and films like a film
map         the map of films
personal    a person's own ratings, watchlist, dismissals and recommendations
newcomers   the films to ask a person about, and those they have not seen
together    evenings: people who choose a film together
training    for staff: training runs and model versions
"""
