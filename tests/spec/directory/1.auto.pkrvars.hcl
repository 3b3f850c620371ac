a = "one"
b = "one"
c = "one"
