namespace MiniCnn.Tests;

/// <summary>All numbers of a layer.</summary>
static class LayerNumbers
{
    extension(Layer layer)
    {
        /// <summary>The values of all parameters, one after the other.</summary>
        public float[] Values => [.. layer.Parameters.SelectMany(p => p.Value.AsSpan().ToArray())];

        /// <summary>The gradients of all parameters, one after the other.</summary>
        public float[] Gradients => [.. layer.Parameters.SelectMany(p => p.Gradient.AsSpan().ToArray())];

        /// <summary>The bytes of all tensors that a file of weights holds, running statistics included.</summary>
        public byte[][] State => [.. layer.Stored.Select(tensor => tensor.Save().Data.ToArray())];

        public void ClearGradients()
        {
            foreach (Parameter parameter in layer.Parameters)
                parameter.Gradient.AsSpan().Clear();
        }
    }
}
