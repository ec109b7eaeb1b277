using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Numerics.Tensors;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace MiniCnn.Tests;

/// <summary>
/// The sums of a tile stay in registers only if the JIT inlines all methods that use them. The JIT does not inline into a method with 512 locals; the sums are
/// then stored in memory, and a convolution takes four times as long.
/// </summary>
public sealed class RegisterTests
{
    [Fact]
    public void All_that_is_done_with_a_tile_is_inlined()
    {
        using Inlining inlining = new();
        // Compiled anew, whatever other tests have called.
        Assembly fresh = new AssemblyLoadContext("fresh").LoadFromAssemblyPath(typeof(Conv2d).Assembly.Location);
        PropertyInfo vector = fresh.GetType("MiniCnn.Simd")!.GetProperty(nameof(Simd.Width))!;
        object three = fresh.GetType("MiniCnn.Size2d")!.GetMethod("op_Implicit", [typeof(int)])!.Invoke(null, [3])!;
        PropertyInfo algorithms = fresh.GetType("MiniCnn.Layer")!.GetProperty(nameof(Layer.ConvolutionAlgorithm))!;
        ConstructorInfo conv2d = fresh.GetType("MiniCnn.Conv2d")!.GetConstructors()[0];
        object?[] others = [.. conv2d.GetParameters()[3..].Select(p => p.DefaultValue)];
        foreach (int width in new[] { 1, 4, 8, 16 }.Where(width => width <= Simd.Width))
        {
            vector.SetValue(null, width);
            // The heights and widths of tiles: where lanes are images, or vectors lie along rows, or hold channels.
            foreach (int channels in (int[])[1, 2, 3, 4, 6, 8, 16, 32, 48, 64])
                foreach ((int count, int columns) in new[] { (16, 9), (16, 25), (2, 2 + 3 * width), (2, 2 + 16 * width), (2, 24), (2, 20), (2, 13) })
                {
                    dynamic layer = conv2d.Invoke([channels, channels, three, .. others]);
                    foreach (int algorithm in (int[])[(int)ConvolutionAlgorithm.Direct, (int)ConvolutionAlgorithm.Winograd])
                    {
                        algorithms.SetValue((object)layer, Enum.ToObject(algorithms.PropertyType, algorithm));
                        Tensor<float> y = layer.Forward(Tensor.CreateFromShape<float>([count, channels, 4, columns]), true);
                        layer.BackwardToInput(y);
                    }
                }
        }
        RuntimeHelpers.PrepareMethod(typeof(Inlining).GetMethod(nameof(Inlining.Last))!.MethodHandle);
        Assert.True(SpinWait.SpinUntil(() => inlining.IsOver, TimeSpan.FromSeconds(30)), "the runtime does not tell what it inlines");
        Assert.NotEqual(0, inlining.Done);
        Assert.Empty(inlining.Refused);
    }

    /// <summary>Collects the inlining events of the runtime, which arrive with a delay.</summary>
    sealed class Inlining : EventListener
    {
        const EventKeywords JitTracing = (EventKeywords)0x1000;

        static readonly string[] compiled = ["+Strip", "+Rows", nameof(WinogradTransforms)];

        public ConcurrentQueue<string> Refused { get; } = [];

        public int Done { get; private set; }

        public bool IsOver { get; private set; }

        /// <summary>Compiled last, to mark the end of the events.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static int Last(int a) => Next(a);

        static int Next(int a) => a + 1;

        protected override void OnEventSourceCreated(EventSource source)
        {
            if (source.Name == "Microsoft-Windows-DotNETRuntime")
                EnableEvents(source, EventLevel.Verbose, JitTracing);
        }

        protected override void OnEventWritten(EventWrittenEventArgs told)
        {
            if (told.EventName?.StartsWith("MethodJitInlining", StringComparison.Ordinal) != true)
                return;
            string Said(string what) => told.Payload![told.PayloadNames!.IndexOf(what)]!.ToString()!;
            (string into, string callee) = (Said("MethodBeingCompiledNamespace"), $"{Said("InlineeNamespace")}.{Said("InlineeName")}");
            IsOver |= Said("MethodBeingCompiledName") == nameof(Last);
            if (!compiled.Any(name => into.Contains(name, StringComparison.Ordinal)))
                return;
            if (told.EventName.StartsWith("MethodJitInliningSucceeded", StringComparison.Ordinal))
                Done++;
            else if (!callee.Contains("ThrowHelper", StringComparison.Ordinal))       // what is thrown for another T is never called
                Refused.Enqueue($"{callee} into {into}: {Said("FailReason")}");
        }
    }
}
