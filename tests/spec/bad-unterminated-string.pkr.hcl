source "null" "a" {
  text = "no end
  next = 1
}
build { sources = ["null.a"] }
