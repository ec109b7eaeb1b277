using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace MiniCnn.Tests;

/// <summary>The public API of an assembly: one line for each type and member, as a C# declaration. Overrides are not listed.</summary>
static class PublicApi
{
    const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
    static readonly NullabilityInfoContext nullability = new();
    static readonly Dictionary<Type, string> keywords = new (Type Type, string Keyword)[]
    {
        (typeof(bool), "bool"), (typeof(byte), "byte"), (typeof(double), "double"), (typeof(float), "float"), (typeof(int), "int"), (typeof(long), "long"),
        (typeof(nint), "nint"), (typeof(object), "object"), (typeof(string), "string"), (typeof(uint), "uint"), (typeof(ulong), "ulong"),
        (typeof(void), "void"),
    }.ToDictionary(k => k.Type, k => k.Keyword);

    /// <summary>Compares the public API with the recorded one. MINICNN_UPDATE_API=1 records a deliberate change.</summary>
    public static void IsAsDecided(Assembly assembly)
    {
        string path = Path.Combine(Repository.Root, "tests", $"PublicApi.{assembly.GetName().Name}.txt"), api = Of(assembly);
        if (Environment.GetEnvironmentVariable("MINICNN_UPDATE_API") == "1")
            File.WriteAllText(path, api);
        string[] now = api.Split('\n'), decided = File.ReadAllText(path).ReplaceLineEndings("\n").Split('\n');
        Assert.True(now.SequenceEqual(decided), $"not as {Path.GetFileName(path)} has it; MINICNN_UPDATE_API=1 writes it anew\n"
            + string.Concat(decided.Except(now).Select(line => $"- {line}\n").Concat(now.Except(decided).Select(line => $"+ {line}\n"))));
    }

    static string Of(Assembly assembly) => string.Join('\n', assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal).Select(
        type => $"{Head(type)}\n{string.Concat(type.GetMembers(Declared).Select(m => (m.Name, Text: Member(m))).Where(m => m.Text != "")
            .OrderBy(m => m.Name, StringComparer.Ordinal).ThenBy(m => m.Text, StringComparer.Ordinal).Select(m => $"    {m.Text}\n"))}"));

    static string Head(Type type)
    {
        string kind = type.IsEnum ? "enum" : type.IsInterface ? "interface"
            : type.IsValueType ? (Has<IsReadOnlyAttribute>(type) ? "readonly " : "") + (type.IsByRefLike ? "ref struct" : "struct")
            : (type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "") + "class";
        Type[] bases = type.IsEnum || type.BaseType is null || type.BaseType == typeof(object) || type.BaseType == typeof(ValueType) ? [] : [type.BaseType];
        IEnumerable<Type> interfaces = type.IsEnum ? [] : type.GetInterfaces().Except(type.BaseType?.GetInterfaces() ?? []).Where(i => i.IsVisible);
        string[] names = [.. bases.Select(b => Name(b)), .. interfaces.Select(i => Name(i)).Order(StringComparer.Ordinal)];
        return $"{kind} {type.Namespace}.{Name(type)}{(names is [] ? "" : $" : {string.Join(", ", names)}")}{Constraints(type.GetGenericArguments())}";
    }

    static string Member(MemberInfo member) => member switch
    {
        Type or { Name: "value__" } => "",
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsNew) ? Property(property) : "",
        ConstructorInfo made => IsNew(made) && !Has<CompilerGeneratedAttribute>(made) ? Access(made) + Bare(made.DeclaringType!) + Parameters(made) : "",
        MethodInfo { Name: "op_Implicit" or "op_Explicit" } cast =>
            $"static {cast.Name[3..].ToLowerInvariant()} operator {Name(cast.ReturnType)}{Parameters(cast)}",
        MethodInfo { IsSpecialName: true } accessor when !accessor.Name.StartsWith("op_", StringComparison.Ordinal) => "",
        MethodInfo method => IsNew(method) && !Has<CompilerGeneratedAttribute>(method)
            ? Access(method) + Manner(method) + Returned(method) + method.Name + Generic(method) + Parameters(method)
                + Constraints(method.GetGenericArguments()) : "",
        FieldInfo { IsPublic: false, IsFamily: false, IsFamilyOrAssembly: false } => "",
        FieldInfo { DeclaringType.IsEnum: true } value => $"{value.Name} = {value.GetRawConstantValue()}",
        FieldInfo field => (field.IsPublic ? "" : "protected ")
            + (field.IsLiteral ? "const " : (field.IsStatic ? "static " : "") + (field.IsInitOnly ? "readonly " : ""))
            + $"{Name(field.FieldType, nullability.Create(field), field)} {field.Name}{(field.IsLiteral ? $" = {Value(field.GetRawConstantValue())}" : "")}",
        _ => throw new NotSupportedException($"{member.DeclaringType}.{member}: there was none of its kind"),
    };

    static string Property(PropertyInfo property)
    {
        MethodInfo[] accessors = [.. property.GetAccessors(nonPublic: true).Where(IsSeen)];
        bool isProtected = accessors.All(accessor => !accessor.IsPublic);
        string set = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true ? "init" : "set";
        string name = property.GetIndexParameters() is [] ? property.Name : $"this[{string.Join(", ", property.GetIndexParameters().Select(Parameter))}]";
        return (isProtected ? "protected " : "") + Manner(accessors[0]) + (Has<RequiredMemberAttribute>(property) ? "required " : "")
            + $"{Name(property.PropertyType, nullability.Create(property), property)} {name} "
            + $"{{ {string.Concat(accessors.Select(a => $"{(a.IsPublic || isProtected ? "" : "protected ")}{(a == property.SetMethod ? set : "get")}; "))}}}";
    }

    static string Parameters(MethodBase method) =>
        $"({(Has<ExtensionAttribute>(method) ? "this " : "")}{string.Join(", ", method.GetParameters().Select(Parameter))})";

    static string Parameter(ParameterInfo parameter)
    {
        Type type = parameter.ParameterType;
        string manner = Has<ParamArrayAttribute>(parameter) || Has<ParamCollectionAttribute>(parameter) ? "params "
            : parameter.IsOut ? "out " : parameter.IsIn ? "in " : type.IsByRef ? "ref " : "";
        bool isDefault = parameter is { HasDefaultValue: true, RawDefaultValue: null } && type.IsValueType && Nullable.GetUnderlyingType(type) is null;
        return $"{manner}{Name(type.IsByRef ? type.GetElementType()! : type, nullability.Create(parameter), parameter)} {parameter.Name}"
            + (parameter.HasDefaultValue ? $" = {(isDefault ? "default" : Value(parameter.DefaultValue))}" : "");
    }

    static string Value(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        Enum name => $"{name.GetType().Name}.{name}",
        float number => number.ToString(CultureInfo.InvariantCulture) + "f",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>A type as C# writes it: with ? for nullable types and with the names of tuple elements.</summary>
    static string Name(Type type, NullabilityInfo? info = null, ICustomAttributeProvider? of = null) => Name(type, info, new Queue<string?>(
        of?.GetCustomAttributes(typeof(TupleElementNamesAttribute), false).Cast<TupleElementNamesAttribute>().SingleOrDefault()?.TransformNames ?? []));

    static string Name(Type type, NullabilityInfo? info, Queue<string?> names)
    {
        if (type.IsByRef)
            return "ref " + Name(type.GetElementType()!, info, names);
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Name(value, info, names) + "?";
        string mark = !type.IsValueType && info?.ReadState == NullabilityState.Nullable ? "?" : "";
        if (type.IsArray)
            return $"{Name(type.GetElementType()!, info?.ElementType, names)}[{new string(',', type.GetArrayRank() - 1)}]{mark}";
        if (keywords.TryGetValue(type, out string? keyword))
            return keyword + mark;
        Type[] arguments = type.GetGenericArguments();
        bool isTuple = type.IsValueType && type.IsAssignableTo(typeof(ITuple));
        string[] own = [.. arguments.Select(_ => isTuple && names.TryDequeue(out string? name) && name is not null ? $" {name}" : "")];   // before those within
        string[] inner = [.. arguments.Select((a, i) => Name(a, info?.GenericTypeArguments.ElementAtOrDefault(i), names) + own[i])];
        string outer = type is { IsNested: true, IsGenericParameter: false } ? Bare(type.DeclaringType!) + "." : "";
        return isTuple ? $"({string.Join(", ", inner)})" : outer + Bare(type) + (inner is [] ? "" : $"<{string.Join(", ", inner)}>") + mark;
    }

    static string Bare(Type type) => type.Name.Split('`')[0];

    static string Returned(MethodInfo method) => Name(method.ReturnType, nullability.Create(method.ReturnParameter), method.ReturnParameter) + " ";

    static string Generic(MethodInfo method) => method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "";

    static string Constraints(Type[] arguments) => string.Concat(arguments.Where(a => a.IsGenericParameter).Select(a =>
    {
        GenericParameterAttributes flags = a.GenericParameterAttributes;
        string[] kinds =
        [
            .. flags.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint) ? ["class"] : Array.Empty<string>(),
            .. flags.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint)
                ? [a.GetCustomAttributesData().Any(d => d.AttributeType.Name == "IsUnmanagedAttribute") ? "unmanaged" : "struct"] : Array.Empty<string>(),
            .. a.GetGenericParameterConstraints().Where(c => c != typeof(ValueType)).Select(c => Name(c)),
        ];
        return kinds is [] ? "" : $" where {a.Name} : {string.Join(", ", kinds)}";
    }));

    static bool IsSeen(MethodBase method) => method.IsPublic || (method.IsFamily || method.IsFamilyOrAssembly) && !method.DeclaringType!.IsSealed;

    static bool IsNew(MethodBase method) => IsSeen(method) && (method is not MethodInfo info || info.GetBaseDefinition() == info);

    static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    static string Manner(MethodInfo method) => method.DeclaringType!.IsInterface ? "" : method.IsStatic ? "static "
        : method.IsAbstract ? "abstract " : method.IsVirtual && !method.IsFinal ? "virtual " : "";

    static bool Has<A>(ICustomAttributeProvider member) where A : Attribute => member.IsDefined(typeof(A), false);
}
