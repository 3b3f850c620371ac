source "null" "x" { values = [var.a, var.b, var.c, path.root] }
build { sources = ["null.x"] }
