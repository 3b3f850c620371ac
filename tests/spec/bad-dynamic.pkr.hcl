source "null" "a" {
  dynamic "x" {
    for_eac = []
    content {}
  }
  dynamic {
    for_each = []
    content {}
  }
  dynamic "y" {
    for_each = "text"
    content { a = y.valu }
  }
  dynamic "z" {
    for_each = [1, 2]
    content { a = z.valu }
  }
}
build { sources = ["null.a"] }
