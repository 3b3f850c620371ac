# Every form of expression once.
locals {
  arithmetic  = [1 + 2 * 3, (1 + 2) * 3, 7 % 4, -7 % 4, 1 / 4, -(2), 10 - 3 - 2, 2.5e3]
  logic       = [true && false, true || false, !true, false && nope(1), true || nope(1), 1 == 1, 1 == "1", 1 != 2]
  compare     = [1 < 2, 2 <= 2, 3 > 4, "5" >= 4]
  conditional = true ? "yes" : "no"
  unified     = [true ? 1 : "a", false ? { a = 1 } : { b = 2 }, true ? null : 4]
  tuple       = ["a", 2, true, null, ]
  object      = { a = 1, "b" : 2, (upper("c")) = 3, for-sure = 4
    "d e" = 5
    7     = 6
  }
  index       = [local.tuple[0], local.object["b"], local.object.C, local.tuple.1, { a = [[1, 2]] }.a.0[1]]
  splat       = [[{ a = 1 }, { a = 2 }][*].a, { a = 3 }[*].a, null[*], [{ a = [1, 2] }].*.a[0], [{ b = [5] }][*].b[0]]
  for_list    = [for i, v in ["x", "y", "z"] : "${i}${v}" if v != "y"]
  for_object  = { for k, v in { a = 1, b = 2 } : upper(k) => v * 10 }
  for_group   = { for v in ["apple", "avocado", "bean"] : length(v) > 4 ? "long" : "short" => v... }
  call        = upper(["spread"]...)
}

source "null" "a" {
  arithmetic  = local.arithmetic
  logic       = local.logic
  compare     = local.compare
  conditional = local.conditional
  unified     = local.unified
  tuple       = local.tuple
  object      = local.object
  index       = local.index
  splat       = local.splat
  for_list    = local.for_list
  for_object  = local.for_object
  for_group   = local.for_group
  call        = local.call
}

build { sources = ["null.a"] }
