using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using MiniCnn.Parity;
using Xunit.Sdk;

namespace MiniCnn.Tests;

/// <summary>What a test names, by its data and by its instructions: its own and those of whatever it calls in the tests and in the parity kit.</summary>
sealed class NamedInCode
{
    static readonly Dictionary<short, OpCode> codes =
        typeof(OpCodes).GetFields().Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    static readonly Assembly[] followed = [typeof(NamedInCode).Assembly, typeof(Recording).Assembly];

    public NamedInCode(MethodInfo test)
    {
        Strings = [.. test.GetCustomAttributes<DataAttribute>().SelectMany(data => data.GetData(test)).SelectMany(row => row).OfType<string>()];
        Read(test);
    }

    public HashSet<MethodBase> Methods { get; } = [];

    public HashSet<Type> Types { get; } = [];

    public HashSet<string> Strings { get; }

    void Read(MethodBase method)
    {
        method = (MethodBase)method.Module.ResolveMethod(method.MetadataToken)!;               // of a generic one the definition
        if (!Methods.Add(method) || !followed.Contains(method.Module.Assembly) || method.GetMethodBody()?.GetILAsByteArray() is not { } il)
            return;
        if (method.GetCustomAttribute<StateMachineAttribute>() is { } iterator)
            Read(iterator.StateMachineType.GetMethod("MoveNext", BindingFlags.Instance | BindingFlags.NonPublic)!);
        Type[]? types = method.DeclaringType?.GetGenericArguments(), own = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < il.Length;)
        {
            OpCode code = codes[il[at] == 0xfe ? (short)(0xfe00 | il[at + 1]) : il[at]];
            at += code.Size;
            int token = code.OperandType is OperandType.InlineNone ? 0 : at + 4 <= il.Length ? BitConverter.ToInt32(il, at) : 0;
            if (code.OperandType == OperandType.InlineString)
                Strings.Add(method.Module.ResolveString(token));
            else if (code.OperandType == OperandType.InlineMethod)
                Read(method.Module.ResolveMethod(token, types, own)!);
            else if (code.OperandType == OperandType.InlineType)
                Types.Add(method.Module.ResolveType(token, types, own));
            else if (code.OperandType == OperandType.InlineField && method.Module.ResolveField(token, types, own) is { IsStatic: true } field)
            {
                if (field.DeclaringType!.TypeInitializer is { } initializer)                   // what it holds is made there
                    Read(initializer);
            }
            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * token,
                _ => 4,
            };
        }
    }
}
