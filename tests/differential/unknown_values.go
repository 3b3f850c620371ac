// Judges tables of expressions (src/template/testdata/unknown.txt and edges.txt: an expression, below it what it gives)
// by hashicorp/hcl and the go-cty that Packer uses. Rows that call other functions than go-cty's are left out.
package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var functions = map[string]function.Function{
	"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc,
	"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc,
	"signum": stdlib.SignumFunc,

	"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc,
	"indent": stdlib.IndentFunc, "join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc,
	"regexall": stdlib.RegexAllFunc, "regex_replace": stdlib.RegexReplaceFunc, "replace": stdlib.ReplaceFunc,
	"sort": stdlib.SortFunc, "split": stdlib.SplitFunc, "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc,
	"title": stdlib.TitleFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc,
	"trimspace": stdlib.TrimSpaceFunc, "trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,

	"chunklist": stdlib.ChunklistFunc, "coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc,
	"concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc,
	"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "keys": stdlib.KeysFunc, "lookup": stdlib.LookupFunc,
	"merge": stdlib.MergeFunc, "range": stdlib.RangeFunc, "reverse": stdlib.ReverseListFunc,
	"setintersection": stdlib.SetIntersectionFunc, "setproduct": stdlib.SetProductFunc, "setunion": stdlib.SetUnionFunc,
	"slice": stdlib.SliceFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

	"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
	"formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,
	"can": tryfunc.CanFunc, "try": tryfunc.TryFunc, "convert": typeexpr.ConvertFunc,
}

// The names of src/template/unknown_test.cc.
func names() map[string]cty.Value {
	str, num, list := cty.UnknownVal(cty.String), cty.UnknownVal(cty.Number), cty.UnknownVal(cty.List(cty.String))
	object := cty.UnknownVal(cty.Object(map[string]cty.Type{"a": cty.String, "b": cty.Number}))
	tuple := cty.UnknownVal(cty.Tuple([]cty.Type{cty.String, cty.Number}))
	set, numbers := cty.UnknownVal(cty.Set(cty.String)), cty.UnknownVal(cty.Map(cty.Number))
	one, ten := cty.NumberIntVal(1), cty.NumberIntVal(10)
	between := func(v cty.Value, min, max int) cty.Value {
		return v.Refine().NotNull().CollectionLengthLowerBound(min).CollectionLengthUpperBound(max).NewValue()
	}
	return map[string]cty.Value{
		"any":         cty.DynamicVal,
		"anys":        cty.UnknownVal(cty.List(cty.DynamicPseudoType)),
		"str":         str,
		"some_str":    str.RefineNotNull(),
		"pre_str":     str.Refine().NotNull().StringPrefixFull("pre-").NewValue(),
		"pre_or_null": str.Refine().StringPrefixFull("pre-").NewValue(),
		"num":         num,
		"some_num":    num.RefineNotNull(),
		"to_ten":      num.Refine().NotNull().NumberRangeInclusive(one, ten).NewValue(),
		"below_ten":   num.Refine().NumberRangeUpperBound(ten, false).NewValue(),
		"above_one":   num.Refine().NotNull().NumberRangeLowerBound(one, false).NewValue(),
		"bool":        cty.UnknownVal(cty.Bool),
		"some_bool":   cty.UnknownVal(cty.Bool).RefineNotNull(),
		"list":        list,
		"some_list":   list.RefineNotNull(),
		"two_to_four": between(list, 2, 4),
		"three_most":  list.Refine().CollectionLengthUpperBound(3).NewValue(),
		"map":         cty.UnknownVal(cty.Map(cty.String)),
		"some_map":    numbers.Refine().NotNull().CollectionLengthLowerBound(1).NewValue(),
		"set":         set,
		"some_set":    between(set, 1, 3),
		"object":      object,
		"some_object": object.RefineNotNull(),
		"tuple":       tuple,
		"some_tuple":  tuple.RefineNotNull(),
		"secret":      str.RefineNotNull().Mark("sensitive"),
	}
}

func typeText(t cty.Type) string {
	switch {
	case t == cty.DynamicPseudoType:
		return "any"
	case t.IsListType():
		return "list(" + typeText(t.ElementType()) + ")"
	case t.IsSetType():
		return "set(" + typeText(t.ElementType()) + ")"
	case t.IsMapType():
		return "map(" + typeText(t.ElementType()) + ")"
	case t.IsTupleType():
		var parts []string
		for _, part := range t.TupleElementTypes() {
			parts = append(parts, typeText(part))
		}
		return "tuple([" + strings.Join(parts, ", ") + "])"
	case t.IsObjectType():
		var parts []string
		for name, part := range t.AttributeTypes() {
			parts = append(parts, name+" = "+typeText(part))
		}
		sort.Strings(parts)
		return "object({" + strings.Join(parts, ", ") + "})"
	}
	return t.FriendlyName()
}

func quoted(text string) string {
	named := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(text)
	out := ""
	for _, char := range named {
		if char < ' ' || char == 0x7f {
			out += fmt.Sprintf("\\x%02x", char)
		} else {
			out += string(char)
		}
	}
	return `"` + out + `"`
}

func number(v cty.Value) string { return v.AsBigFloat().Text('f', -1) }

func bound(v cty.Value, inclusive bool, sign string) []string {
	if !v.IsKnown() || v.AsBigFloat().IsInf() {
		return nil
	}
	if inclusive {
		sign += "="
	}
	return []string{sign + " " + number(v)}
}

// What is known of an unknown value.
func refinement(v cty.Value) string {
	var parts []string
	known, t := v.Range(), v.Type()
	if known.DefinitelyNotNull() {
		parts = append(parts, "not null")
	}
	if t == cty.String && known.StringPrefix() != "" {
		parts = append(parts, "begins "+quoted(known.StringPrefix()))
	}
	if t == cty.Number {
		least, inclusive := known.NumberLowerBound()
		parts = append(parts, bound(least, inclusive, ">")...)
		most, inclusive := known.NumberUpperBound()
		parts = append(parts, bound(most, inclusive, "<")...)
	}
	if t.IsCollectionType() && known.LengthLowerBound() > 0 {
		parts = append(parts, fmt.Sprintf("length >= %d", known.LengthLowerBound()))
	}
	if t.IsCollectionType() && known.LengthUpperBound() < math.MaxInt {
		parts = append(parts, fmt.Sprintf("length <= %d", known.LengthUpperBound()))
	}
	if parts == nil {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func show(v cty.Value) string {
	if v.IsMarked() {
		plain, _ := v.Unmark()
		return "!" + show(plain)
	}
	t := v.Type()
	switch {
	case !v.IsKnown():
		return "unknown " + typeText(t) + refinement(v)
	case v.IsNull():
		return "null " + typeText(t)
	case t == cty.String:
		return quoted(v.AsString())
	case t == cty.Number:
		return number(v)
	case t == cty.Bool:
		return fmt.Sprint(v.True())
	}
	var parts []string
	for it := v.ElementIterator(); it.Next(); {
		key, part := it.Element()
		if t.IsObjectType() || t.IsMapType() {
			parts = append(parts, key.AsString()+"="+show(part))
		} else {
			parts = append(parts, show(part))
		}
	}
	inside := strings.Join(parts, ", ")
	switch {
	case t.IsObjectType():
		return "{" + inside + "}"
	case t.IsTupleType():
		return "[" + inside + "]"
	}
	return typeText(t) + "[" + inside + "]"
}

// What types are written with, in the second argument of convert.
var constructors = map[string]bool{"list": true, "set": true, "map": true, "object": true, "tuple": true, "optional": true}

// Whether all functions of the expression are known here.
func judged(expr hclsyntax.Expression) bool {
	all := true
	hclsyntax.VisitAll(expr, func(node hclsyntax.Node) hcl.Diagnostics {
		if call, ok := node.(*hclsyntax.FunctionCallExpr); ok {
			_, known := functions[call.Name]
			all = all && (known || constructors[call.Name])
		}
		return nil
	})
	return all
}

func answer(expr hclsyntax.Expression, ctx *hcl.EvalContext) string {
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return "error"
	}
	return show(v)
}

// The rows of a table that are judged, and how many of them differ.
func judge(path string) (rows, wrong int) {
	table, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	ctx := &hcl.EvalContext{Variables: names(), Functions: functions}
	lines := strings.Split(string(table), "\n")
	for i, line := range lines {
		if line == "" || line[0] == ' ' || line[0] == '#' {
			continue
		}
		expr, diags := hclsyntax.ParseExpression([]byte(line), "table", hcl.InitialPos)
		if diags.HasErrors() {
			panic(line + ": " + diags.Error())
		}
		if !judged(expr) {
			continue
		}
		rows++
		if theirs, ours := answer(expr, ctx), strings.TrimSpace(lines[i+1]); theirs != ours {
			wrong++
			fmt.Printf("%s\n  theirs: %s\n  ours:   %s\n", line, theirs, ours)
		}
	}
	return rows, wrong
}

func main() {
	status := 0
	for _, path := range os.Args[1:] {
		rows, wrong := judge(path)
		fmt.Printf("%s: %d rows judged, %d differ\n", filepath.Base(path), rows, wrong)
		if rows == 0 || wrong > 0 {
			status = 1
		}
	}
	os.Exit(status)
}
