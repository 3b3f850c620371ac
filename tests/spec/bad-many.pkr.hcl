source "null" "a" {
  a = [1, 2
    3]
  b = {
    x = $
    y = 2
  }
  c == 3
  d = 'single'
  e = 1 2
  f = "bad \q escape"
  g = (1 + )
  "h" = 1
  ok = 1
}
source "null" {
}
build
{
}
locals {
  a = 1
  a = 2
  b = foo ? 1
  c = { a.b = 1 }
  d = [for x of y : x]
  e = `raw`
  f = 1 & 2
  g = "${1 + 1"
  h = "%{ if true }x"
  i = "%{ endif }"
}
