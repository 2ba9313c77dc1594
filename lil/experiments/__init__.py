"""What each figure and table shows, as labelled arrays. One module a figure or table, of one stem with its notebook."""
