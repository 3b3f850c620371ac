// What a template function is: its name, parameters and result, called through call_function(), which checks and
// converts the arguments and deals with unknown values and marks, so that most functions see only plain known values of
// the types they asked for. The table is in functions.cc.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>

#include "base/error.h"
#include "template/value.h"

namespace kiln::tmpl {

struct World;

/// One parameter. Arguments are converted to type before the function sees them.
struct Parameter {
  std::string name;            // for messages: "str"
  Type type;                   // dynamic: any value as it is
  bool allow_null = false;     // otherwise a null argument is an error
  bool allow_unknown = false;  // otherwise an unknown argument makes the result unknown without a call, and of
                               // unknown type where neither argument nor parameter have one. Only the argument
                               // itself: for parts inside a collection see allow_partial
  bool allow_partial = false;  // for collections: parts may be unknown (length, keys, merge ...); otherwise they make
                               // the result unknown
  bool allow_marked = false;   // otherwise marks are taken off at every level and put on the result
};

/// What a function may use besides its arguments.
class FunctionContext {
 public:
  explicit FunctionContext(const World& w) : world(w) {}

  const World& world;        // files, environment, clock (template.h)
  fs::path root;             // the template's directory: relative file names start here
  bool env_allowed = false;  // inside the default of a variable
  /// Renders text as a template whose only names are those given (templatefile); name is for messages. Empty when the
  /// call is itself inside such a template.
  std::function<Result<Value>(const std::string& text, const std::string& name, const Value::Entries& names)> render;

  /// An error that belongs to one argument (from 0): `return context.bad_argument(1, "must be positive");`
  /// An error of the whole call is error(Errc::bad_template, ...).
  template <class... A>
  Error bad_argument(std::size_t index, fmt::format_string<A...> f, A&&... a) {
    argument = index;
    return Error(Errc::bad_template, fmt::format(f, std::forward<A>(a)...));
  }
  std::optional<std::size_t> argument;  // set by bad_argument
  std::uint64_t steps = 0;              // of evaluation: what a slow call took
};

using Arguments = std::span<const Value>;

struct Function {
  std::vector<Parameter> parameters;
  std::optional<Parameter> rest;  // variadic: any number of further arguments
  /// The type of the result where it does not depend on the arguments; used for unknown results.
  Type result;
  /// Where it does: the type for these (converted, perhaps unknown) arguments. Optional.
  std::function<Result<Type>(Arguments, FunctionContext&)> result_of = {};
  std::function<Result<Value>(Arguments, FunctionContext&)> call;
  bool not_null = false;  // the result never is null, also where it is not known
};

using FunctionTable = std::map<std::string, Function>;

/// All functions except can, try and convert, which need expressions and belong to the evaluator.
const FunctionTable& functions();

/// Calls with checked and converted arguments. An error may have context.argument set.
Result<Value> call_function(const std::string& name, const Function& function, Arguments arguments,
                            FunctionContext& context);

/// Limits that keep a hostile template from eating the machine; check before allocating.
constexpr std::size_t kMaxString = std::size_t{16} << 20;  // bytes
constexpr std::size_t kMaxCollection = 1'000'000;          // elements
constexpr std::size_t kMaxValueDepth = 200;                // levels

}  // namespace kiln::tmpl
