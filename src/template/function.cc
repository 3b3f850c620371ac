#include "template/function.h"

#include "template/convert.h"

namespace kiln::tmpl {

namespace {

const Parameter& parameter_for(const Function& f, std::size_t index) {
  return index < f.parameters.size() ? f.parameters[index] : *f.rest;
}

Result<> check_count(const std::string& name, const Function& f, std::size_t given) {
  const std::size_t wanted = f.parameters.size();
  if (given < wanted) {
    return error(Errc::bad_template, "function \"{}\" expects {}{} argument{}; missing value for \"{}\"", name,
                 f.rest ? "at least " : "", wanted, wanted == 1 ? "" : "s", f.parameters[given].name);
  }
  if (given > wanted && !f.rest) {
    return error(Errc::bad_template, "function \"{}\" expects only {} argument{}", name, wanted,
                 wanted == 1 ? "" : "s");
  }
  return {};
}

}  // namespace

Result<Value> call_function(const std::string& name, const Function& function, Arguments arguments,
                            FunctionContext& context) {
  TRY(check_count(name, function, arguments.size()));
  Value::Elements plain;
  plain.reserve(arguments.size());
  Marks marks, kept;  // kept: of arguments whose marks the function itself would keep
  bool known = true;
  bool typed = true;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Parameter& p = parameter_for(function, i);
    Value v = arguments[i];
    if (!p.allow_marked) {
      marks |= v.deep_marks();
      v = v.deep_unmarked();
    }
    kept |= v.deep_marks();
    if (v.is_null() && !p.allow_null) return context.bad_argument(i, "argument must not be null");
    auto converted = convert(v, p.type);
    if (!converted) return context.bad_argument(i, "{}", converted.error().text());
    v = std::move(converted).take();
    if (v.is_unknown() && !p.allow_unknown) known = false;
    if (v.is_unknown() && !p.allow_unknown && v.type().is_dynamic() && p.type.is_dynamic()) typed = false;
    if (v.is_known() && !p.allow_partial && !v.is_wholly_known()) known = false;
    plain.push_back(std::move(v));
  }
  if (!typed) return Value::unknown().marked(marks | kept);
  Value result;
  if (known) {
    result = TRY(function.call(plain, context));
  } else if (function.result_of) {
    result = Value::unknown(TRY(function.result_of(plain, context))).marked(kept);
  } else {
    result = Value::unknown(function.result).marked(kept);
  }
  return (function.not_null ? result.not_null() : result).marked(marks);
}

}  // namespace kiln::tmpl
