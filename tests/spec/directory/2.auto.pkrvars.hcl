b = "two"
c = "two"
