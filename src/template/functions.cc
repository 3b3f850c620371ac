#include "base/text.h"
#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

/// Those that Packer takes from go-cty's own library and its own ones that say so; of others an unknown result may turn
/// out to be null.
constexpr std::string_view kNeverNull =
    "abs alltrue anytrue ceil chomp chunklist coalescelist compact concat contains csvdecode distinct endswith "
    "filebase64 flatten floor format formatdate formatlist indent index join jsonencode keys length log lower "
    "max merge min parseint pow range regex regex_replace regexall replace reverse rfc3339_parse "
    "setintersection setproduct setunion signum slice sort split startswith strrev substr sum textdecodebase64 "
    "textencodebase64 title trim trimprefix trimspace trimsuffix unix_timestamp_parse upper values zipmap";

}  // namespace

const FunctionTable& functions() {
  static const FunctionTable table = [] {
    FunctionTable t;
    for (const auto add : {add_number_functions, add_string_functions, add_regex_functions, add_format_functions,
                           add_list_functions, add_map_functions, add_set_functions, add_encoding_functions,
                           add_json_functions, add_csv_functions, add_yaml_functions, add_file_functions,
                           add_date_functions, add_hash_functions, add_network_functions, add_secret_functions}) {
      add(t);
    }
    for (const std::string& name : split(kNeverNull, ' ')) t.at(name).not_null = true;
    return t;
  }();
  return table;
}

Result<Value> text_value(std::string_view text) {
  if (text.size() > kMaxString)
    return error(Errc::bad_template, "the result has {} bytes, more than the {} that a string may have", text.size(),
                 kMaxString);
  return Value::string(text);
}

Result<std::int64_t> whole_number(Arguments arguments, std::size_t index, FunctionContext& context) {
  const auto n = arguments[index].number().to_int();
  if (!n) return context.bad_argument(index, "a whole number of at most 64 bits is required");
  return *n;
}

Result<> check_elements(std::size_t n) {
  if (n > kMaxCollection) return error(Errc::bad_template, "the result has more than {} elements", kMaxCollection);
  return {};
}

namespace {

/// A function of a service that kiln has no connection to.
Function unavailable(std::vector<Parameter> parameters, std::string service) {
  return {.parameters = std::move(parameters),
          .result = Type::string(),
          .call = [service = std::move(service)](Arguments, FunctionContext&) -> Result<Value> {
            return error(Errc::bad_template, "no {} is configured; pass the secret as a sensitive variable instead",
                         service);
          }};
}

}  // namespace

void add_secret_functions(FunctionTable& t) {
  t["vault"] = unavailable({text_parameter("path"), text_parameter("key")}, "Vault service");
  t["consul_key"] = unavailable({text_parameter("key")}, "Consul service");
  t["aws_secretsmanager"] = unavailable({text_parameter("name"), text_parameter("key")}, "AWS Secrets Manager service");
  t["aws_secretsmanager_raw"] = unavailable({text_parameter("name")}, "AWS Secrets Manager service");
}

}  // namespace kiln::tmpl
