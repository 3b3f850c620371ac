variable "spark_version" { default = "4" }
locals {
  a = var.spark_verson
  b = local.aa
  c = locale.a
  d = uper("x")
  e = source.name
  f = 1 + [2]
  g = "x" * 2
  h = [1, 2][5]
  i = { a = 1 }["b"]
  j = "${[1]}"
  k = null + 1
  l = upper()
  m = upper(1, 2)
  n = length("text")
  o = true ? [] : "x"
  p = [for x in "text" : x]
  q = !"maybe"
  r = "a ${null}"
  s = { for x in ["a", "a"] : x => 1 }
  t = 0 / 0
  u = "text".attr
  v = [{ a = 1 }].a
}
source "null" "a" { b = var.nope }
build { sources = ["null.a", "null.b", "nul.a", "oops"] }
