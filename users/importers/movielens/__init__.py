"""MovieLens, in every form in which GroupLens publishes it.

F. Maxwell Harper and Joseph A. Konstan, "The MovieLens Datasets: History and Context",
ACM Transactions on Interactive Intelligent Systems 5(4), 2015; https://grouplens.org/datasets/.
"""
