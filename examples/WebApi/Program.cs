// A web service that tells what an uploaded picture shows: dotnet run -c Release --project examples/WebApi -- --model runs/cats-vs-dogs/model.safetensors
using MiniCnn;
using MiniCnn.Imaging;

if (args.Contains("--help"))
{
    Console.WriteLine(
        """
        Tells what an uploaded picture shows: POST the bytes of a JPEG, PNG, WebP, GIF or BMP to /predict, and JSON comes back.

          curl --data-binary @photo.jpg http://localhost:5000/predict

          --model FILE   What ImageClassifier.Save wrote (as examples/CatsVsDogs does); runs/cats-vs-dogs/model.safetensors if left out
          --urls URL     Where to listen; http://localhost:5000 if left out
        """);
    return 0;
}
try
{
    // README: web program
    WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
    builder.WebHost.ConfigureKestrel(server => server.Limits.MaxRequestBodySize = 4 << 20);       // bytes of an upload
    Picture.MaxFilePixels = 16_000_000;                                                           // few bytes can be many pixels
    Predictor predictor = ImageClassifier.Load(builder.Configuration["model"] ?? "runs/cats-vs-dogs/model.safetensors").CreatePredictor();

    WebApplication app = builder.Build();
    app.MapPost("/predict", async (HttpRequest request) =>
    {
        try
        {
            using MemoryStream upload = new();
            await request.Body.CopyToAsync(upload);
            upload.Position = 0;
            return Results.Ok(predictor.Predict(upload));                                         // any number of requests at once
        }
        catch (IOException e)                                                                     // no picture, or too many bytes
        {
            return Results.Text(e.Message, statusCode: e is BadHttpRequestException bad ? bad.StatusCode : 400);
        }
    });
    app.Run();
    // README: end
    return 0;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or FormatException)
{
    Console.Error.WriteLine(e.Message.ReplaceLineEndings(" "));
    return 1;
}
