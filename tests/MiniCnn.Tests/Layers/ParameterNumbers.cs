namespace MiniCnn.Tests;

/// <summary>The numbers of all parameters of a layer, one parameter after the other.</summary>
static class ParameterNumbers
{
    extension(Layer layer)
    {
        public float[] Values => [.. layer.Parameters.SelectMany(p => p.Value.AsSpan().ToArray())];

        public float[] Gradients => [.. layer.Parameters.SelectMany(p => p.Gradient.AsSpan().ToArray())];

        public void ClearGradients()
        {
            foreach (Parameter parameter in layer.Parameters)
                parameter.Gradient.AsSpan().Clear();
        }
    }
}
