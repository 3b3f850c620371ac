locals {
  a = local.b + 1
  b = [for x in local.c : x]
  c = [local.a]
  d = "${local.d}"
  e = local.a
}
